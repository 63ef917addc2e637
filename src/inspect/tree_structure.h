#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "formats/source.h"

// Whether models of trees can be followed by native code that trusts them: arrays of one length, children
// that are nodes of the tree and no node's twice, features that there are, thresholds that are numbers.

namespace holdfast::inspect {

// Of what is read whole for it.
inline constexpr std::uint64_t kMaxTreeModelBytes = 32UL << 20;

bool is_xgboost_json(std::string_view beginning);
// XGBoost's model (doc/model.schema) as JSON or UBJSON, whole. kDataCorrupt names the tree and what is wrong;
// of text that is no JSON at all it says nothing, which inspection of text does.
base::Result<> check_xgboost_json(std::string_view json);
base::Result<> check_xgboost_ubjson(base::ByteView ubjson);

bool is_lightgbm_text(std::string_view beginning);
// LightGBM's text model (src/io/gbdt_model_text.cpp, src/io/tree.cpp), whole.
base::Result<> check_lightgbm_text(std::string_view text);

}  // namespace holdfast::inspect
