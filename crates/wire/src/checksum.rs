//! RFC 1071: the Internet checksum, its update (RFC 1624) and the pseudo-headers (RFC 9293 §3.1, RFC 8200 §8.1).
