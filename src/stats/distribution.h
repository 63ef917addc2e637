#pragma once

// The distributions behind intervals and tests; the one door to Boost.Math. Arguments outside of a function's
// domain give NaN, never an exception.

namespace holdfast::stats {

double normal_quantile(double probability);
double normal_cdf(double x);
double normal_upper_tail(double x);

double student_quantile(double probability, double degrees_of_freedom);

double beta_quantile(double probability, double a, double b);
double beta_upper_tail(double x, double a, double b);
double log_beta(double a, double b);  // the logarithm of the beta function

double chi_squared_upper_tail(double x, double degrees_of_freedom);

// P(K > x) of Kolmogorov's limiting distribution (Kolmogorov 1933).
double kolmogorov_upper_tail(double x);

}  // namespace holdfast::stats
