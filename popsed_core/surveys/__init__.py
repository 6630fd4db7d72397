"""Catalogues, their readers, the noise fitted to them, and their limits."""
