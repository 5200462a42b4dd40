"""What people decide: moves with undo, saved reviews, and learning from corrections."""
