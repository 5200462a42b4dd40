"""The study: all that knows about blood, and all that needs torch and fastai."""
