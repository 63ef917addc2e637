// Runs one model on ONNX Runtime, jailed. Started by holdfast, never by hand.
#include "model_ort/engine_main.h"

int main() { return holdfast::model_ort::run_engine(); }
