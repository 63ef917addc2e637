#include "model_torch/lab_worker.h"

// holdfast-lab: started by holdfast, never by hand.
int main(int /*argc*/, char** argv) { return holdfast::model_torch::run_lab_worker(argv); }
