"""A local HTTPS server that answers as Key Vault does (challenge, then the secret), for the real SDK to speak to."""

from __future__ import annotations

import datetime
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from azure.core.credentials import AccessToken
from azure.keyvault.secrets import SecretClient
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from http_support import Handler, Server

CHALLENGE = 'Bearer authorization="https://login.microsoftonline.com/tenant", resource="https://vault.azure.net"'


class Credential:
    def get_token(self, *scopes: str, **options: object) -> AccessToken:
        return AccessToken("a-token", 4_000_000_000)


@dataclass
class Vault:
    """`secrets` are its values, `answers` statuses to give first, `reads` the names that were asked for with a token."""

    certificate: Path
    port: int = 0
    secrets: dict[str, str] = field(default_factory=dict)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)

    def client(self) -> SecretClient:
        return SecretClient(
            f"https://localhost:{self.port}",
            Credential(),
            connection_verify=str(self.certificate),
            verify_challenge_resource=False,
            retry_total=0,
        )

    def answer(self, name: str) -> tuple[int, dict[str, str], object]:
        self.reads.append(name)
        if self.answers:
            status, headers = self.answers.pop(0)
            return status, headers, {"error": {"code": "Nope", "message": "the secret is hunter2-from-the-vault"}}
        if name not in self.secrets:
            return 404, {}, {"error": {"code": "SecretNotFound", "message": name}}
        return 200, {}, {"value": self.secrets[name], "id": f"https://localhost:{self.port}/secrets/{name}/0123", "attributes": {}}


@contextmanager
def vault(folder: Path) -> Iterator[Vault]:
    made = Vault(folder / "vault.pem")
    _certify(made.certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate)
    with Server(_handler(made), tls=context) as server:
        made.port = server.port
        yield made


def _handler(made: Vault) -> type[Handler]:
    class KeyVault(Handler):
        def do_GET(self) -> None:
            if self.headers.get("Authorization") != "Bearer a-token":
                self._send(401, {"WWW-Authenticate": CHALLENGE}, {})
            else:
                self._send(*made.answer(self.path.split("?")[0].strip("/").split("/")[1]))

        def _send(self, status: int, headers: dict[str, str], body: object) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            for key, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(data))}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(data)

    return KeyVault


def _certify(path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(text + made.public_bytes(serialization.Encoding.PEM))
