//! Checkpoints: reading and writing safetensors and GGUF, tensor by tensor.
