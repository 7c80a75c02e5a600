"""The reader's recipe: a cross-encoder over the encoder's pieces, trained on questions and near misses."""
