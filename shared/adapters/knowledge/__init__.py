"""The knowledge base on libraries: BM25 over stems and vectors in FAISS, ranked together, kept in a folder or container.

numpy, faiss and bm25s are imported with these modules; shared.services imports them when they are first needed.
"""
