"""The encoder's recipe: a small multilingual BERT, distilled from a larger one."""
