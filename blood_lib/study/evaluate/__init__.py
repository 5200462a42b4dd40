"""How good a model is: figures, tables, and one page of them."""
