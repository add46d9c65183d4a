"""Measures a model on labelled messages, and keeps its versions, evaluations and people's votes in MLflow."""
