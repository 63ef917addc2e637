#pragma once

#include <initializer_list>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"

// Why a worker has no answer, as members "code" and "message" of a frame.

namespace holdfast::intake {

void put_error(nlohmann::json& object, const base::Error& error);

// Strict, since a hostile file may speak through the worker: an error of a code that isn't in `believed` is
// kDataCorrupt, and so is what is no error.
base::Error take_error(const nlohmann::json& object, std::initializer_list<base::ErrorCode> believed);

}  // namespace holdfast::intake
