#pragma once

namespace holdfast::model_torch {

// The main of holdfast-lab: enters the jail, then answers one request after another (lab/wire.h) until the
// parent wants no more. Gives the exit status. `argv` as main has it.
int run_lab_worker(char** argv);

}  // namespace holdfast::model_torch
