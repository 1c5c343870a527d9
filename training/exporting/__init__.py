"""Models as files of ONNX, torch and scikit-learn, with the preprocessing of their rows; each loads its library."""
