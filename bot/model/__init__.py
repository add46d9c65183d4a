"""The models, and their life in MLflow."""
