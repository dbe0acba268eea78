"""What codecs are made of: framing and packing of bytes, entropy coding, groups, DCT, sparse values."""
