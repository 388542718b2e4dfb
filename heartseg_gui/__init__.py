"""The window: views, controllers and documents around the engine."""
