"""Content Credentials for test clips: a certificate authority made here, and signed clips."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CREATED = {
    "label": "c2pa.actions.v2",
    "data": {
        "actions": [
            {
                "action": "c2pa.created",
                "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture",
            }
        ]
    },
}


@dataclass(frozen=True, slots=True)
class Authority:
    """What signs, and the PEM of who vouches for it."""

    chain: str
    key: str
    root: str


@cache
def authority(name: str = "Test News Agency") -> Authority:
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = _certificate(f"{name} Root", root_key, root_key, None)
    leaf = _certificate(name, key, root_key, root)
    pem = [entry.public_bytes(serialization.Encoding.PEM).decode() for entry in (leaf, root)]
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Authority("".join(pem), secret.decode(), pem[1])


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
) -> x509.Certificate:
    subject = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, name), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )
    now, is_root = datetime.now(UTC), issuer is None
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
         "decipher_only"), False,
    )  # fmt: skip
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=not is_root, key_cert_sign=is_root, crl_sign=is_root, **usage),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if not is_root:
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
        )
    return builder.sign(signer, hashes.SHA256())


def sign_clip(source: Path, target: Path, by: Authority, *, remote: str = "") -> Path:
    """A copy of a clip with Content Credentials; with ``remote`` it only says where they lie."""
    manifest = {
        "claim_generator_info": [{"name": "Test Camera", "version": "1.0"}],
        "title": "Press conference",
        "assertions": [CREATED],
    }
    builder = c2pa.Builder(manifest)
    if remote:
        builder.set_no_embed()
        builder.set_remote_url(remote)
    info = c2pa.C2paSignerInfo("es256", by.chain.encode(), by.key.encode(), None)
    kind = "video/x-msvideo" if source.suffix == ".avi" else "video/mp4"
    with source.open("rb") as before, target.open("w+b") as after:
        builder.sign(c2pa.Signer.from_info(info), kind, before, after)
    return target


def tamper(clip: Path, target: Path) -> Path:
    """A copy in which a few bytes of the pictures were changed after it was signed."""
    content = bytearray(clip.read_bytes())
    at = content.index(b"mdat") + 400
    content[at : at + 8] = bytes(byte ^ 0xFF for byte in content[at : at + 8])
    target.write_bytes(content)
    return target
