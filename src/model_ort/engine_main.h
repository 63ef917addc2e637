#pragma once

namespace holdfast::model_ort {

// main() of holdfast-engine: enters the jail, then loads the one model whose descriptor it is sent and
// answers requests until the parent wants no more. Gives the exit status.
int run_engine();

}  // namespace holdfast::model_ort
