"""A Kafka that nobody uses without saying who they are, beside a listener in the clear for whoever runs it."""

from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from fairloop.testing_kafka import KafkaCluster, free_ports

SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
USERS = ("survey-intake", "attribution", "kpi-aggregator", "closed-loop", "bonus")
PASSWORD = "p%ss/w:rd@"
"""Everybody's: what must be encoded in an address is in it."""
ENCODED = "p%25ss%2Fw%3Ard%40"
OPERATOR = "operator"


@dataclass(frozen=True)
class Papers:
    """PEM files: the authority, a server's key with its certificate, a client's certificate and key."""

    authority: Path
    server: Path
    certificate: Path
    key: Path


def papers(folder: Path, authority: trustme.CA, client: str) -> Papers:
    """For `localhost`, not 127.0.0.1; the client's common name is `client`. The key is in PKCS#8: Java reads no other."""
    made = Papers(folder / "ca.pem", folder / "server.pem", folder / "client.pem", folder / "client.key")
    authority.cert_pem.write_to_path(made.authority)
    server = authority.issue_cert("localhost")
    key = load_pem_private_key(server.private_key_pem.bytes(), None)
    made.server.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + b"".join(blob.bytes() for blob in server.cert_chain_pems)
    )
    mine = authority.issue_cert(f"{client}.example.org", common_name=client)
    made.certificate.write_bytes(b"".join(blob.bytes() for blob in mine.cert_chain_pems))
    mine.private_key_pem.write_to_path(made.key)
    return made


@dataclass(frozen=True)
class SecureKafka:
    """`cluster.url` is the listener in the clear, whose users may do everything."""

    cluster: KafkaCluster
    authority: Path
    scram_port: int
    certificate_port: int

    @property
    def verified(self) -> str:
        return f"sslmode=verify-full&sslrootcert={self.authority}"

    def url(self, user: str, *, password: str = ENCODED, more: str = "") -> str:
        """For a user with a password."""
        return f"kafka://{user}:{password}@localhost:{self.scram_port}?{self.verified}{more}"

    def url_with_certificate(self, certificate: Path, key: Path) -> str:
        return f"kafka://localhost:{self.certificate_port}?{self.verified}&sslcert={certificate}&sslkey={key}"


def secure_kafka(folder: Path, papers: Papers) -> SecureKafka:
    """To be entered by its `cluster`. Without an ACL nobody may do anything, but for the operator."""
    scram_port, certificate_port = free_ports(2)
    users = [f"SCRAM-SHA-512=[name={user},password={PASSWORD}]" for user in (*USERS, OPERATOR)]
    users.append(f"SCRAM-SHA-256=[name={OPERATOR},password={PASSWORD}]")
    clear = KafkaCluster(folder)
    broker = clear.brokers[0]
    own = f"BROKER://127.0.0.1:{broker.port},CONTROLLER://127.0.0.1:{broker.controller_port}"
    jaas = "sasl.jaas.config"
    clear.settings = {
        "listeners": f"{own},SCRAM://127.0.0.1:{scram_port},CERTIFICATE://127.0.0.1:{certificate_port}",
        "advertised.listeners": f"{own},SCRAM://localhost:{scram_port},CERTIFICATE://localhost:{certificate_port}",
        "listener.security.protocol.map": (
            "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT,SCRAM:SASL_SSL,CERTIFICATE:SSL"
        ),
        "sasl.enabled.mechanisms": "SCRAM-SHA-512,SCRAM-SHA-256,PLAIN",
        f"listener.name.scram.scram-sha-512.{jaas}": SCRAM,
        f"listener.name.scram.scram-sha-256.{jaas}": SCRAM,
        f"listener.name.scram.plain.{jaas}": f'{PLAIN} user_{OPERATOR}="{PASSWORD}";',
        "listener.name.certificate.ssl.client.auth": "required",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(papers.server),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(papers.authority),
        "ssl.principal.mapping.rules": "RULE:^.*CN=([^,]+).*$/$1/,DEFAULT",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:ANONYMOUS;User:{OPERATOR}",
    }
    clear.format_arguments = [argument for user in users for argument in ("--add-scram", user)]
    return SecureKafka(clear, papers.authority, scram_port, certificate_port)
