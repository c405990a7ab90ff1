"""The knowledge base without its libraries: documents, passages, what an index must change, fusion of rankings, how good a search is."""
