"""Words of English and Chinese: segments, stop words, parts of speech, synonyms, a glossary."""
