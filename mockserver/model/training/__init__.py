"""Fine-tuning as the pretend model does it: which models can be trained, what a training file must hold, and how a run goes.

Nothing is learned. A run has a plausible course that its seed decides, and a trained model recalls the example that is nearest to
what it is asked (`recall`).
"""
