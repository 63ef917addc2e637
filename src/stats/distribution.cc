#include "stats/distribution.h"

#include <cmath>
#include <limits>
#include <numbers>

#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <boost/math/special_functions/gamma.hpp>

namespace holdfast::stats {
namespace {

namespace policies = boost::math::policies;
using Quiet = policies::policy<
    policies::domain_error<policies::ignore_error>, policies::pole_error<policies::ignore_error>,
    policies::overflow_error<policies::ignore_error>, policies::evaluation_error<policies::ignore_error>,
    policies::rounding_error<policies::ignore_error>,
    policies::indeterminate_result_error<policies::ignore_error>, policies::promote_double<false>>;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

double normal_quantile(double probability) {
  return -std::numbers::sqrt2 * boost::math::erfc_inv(2 * probability, Quiet());
}

double normal_cdf(double x) { return normal_upper_tail(-x); }

double normal_upper_tail(double x) { return std::erfc(x / std::numbers::sqrt2) / 2; }

double student_quantile(double probability, double degrees_of_freedom) {
  if (!(degrees_of_freedom > 0)) return kNan;
  return quantile(boost::math::students_t_distribution<double, Quiet>(degrees_of_freedom), probability);
}

double beta_quantile(double probability, double a, double b) {
  return boost::math::ibeta_inv(a, b, probability, Quiet());
}

double beta_upper_tail(double x, double a, double b) { return boost::math::ibetac(a, b, x, Quiet()); }

double log_beta(double a, double b) {
  return boost::math::lgamma(a, Quiet()) + boost::math::lgamma(b, Quiet()) -
         boost::math::lgamma(a + b, Quiet());
}

double chi_squared_upper_tail(double x, double degrees_of_freedom) {
  return boost::math::gamma_q(degrees_of_freedom / 2, x / 2, Quiet());
}

double kolmogorov_upper_tail(double x) {
  if (!(x > 0)) return x <= 0 ? 1 : kNan;
  constexpr int kTerms = 100;  // the series alternates; each branch is used where a few terms reach 1e-17
  constexpr double kPi = std::numbers::pi;
  double sum = 0;
  if (x < 1) {  // by Jacobi's theta identity, which converges for small x where the other does not
    for (int k = 1; k <= kTerms; ++k) {
      const double odd = 2 * k - 1;
      sum += std::exp(-odd * odd * kPi * kPi / (8 * x * x));
    }
    return 1 - std::sqrt(2 * kPi) / x * sum;
  }
  for (int k = 1; k <= kTerms; ++k) sum += (k % 2 == 1 ? 2 : -2) * std::exp(-2.0 * k * k * x * x);
  return sum;
}

}  // namespace holdfast::stats
