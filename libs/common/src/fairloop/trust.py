"""Whom a client of ours believes when it speaks TLS."""

import ssl
from functools import cache

import httpx


@cache
def trusted() -> ssl.SSLContext:
    """certifi's certificate authorities, or those of SSL_CERT_FILE or SSL_CERT_DIR, read once a process.

    A client of httpx that is not given them reads them anew, and nothing else runs for some 50 ms meanwhile.
    """
    return httpx.create_ssl_context()
