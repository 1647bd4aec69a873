"""A directory of people for tests: OpenLDAP's slapd on free ports of 127.0.0.1, with an empty tree dc=acme,dc=example
that tests plant. `memberOf` is kept by the server. It takes binds without a password, as careless directories do."""

import base64
import pathlib
import shutil
import socket
import subprocess
import time

from ports import free_port

BASE = "dc=acme,dc=example"
PEOPLE = f"ou=people,{BASE}"
GROUPS = f"ou=groups,{BASE}"
SERVICE = f"cn=berth,{BASE}"
SERVICE_PASSWORD = "of the service account"
ROOT = f"cn=root,{BASE}"
ROOT_PASSWORD = "of the directory's root"
NOBODY = f"cn=nobody,{BASE}"  # groupOfNames wants a member

CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
pidfile {folder}/slapd.pid
allow bind_anon_cred bind_anon_dn
{extra}
database mdb
suffix "{base}"
rootdn "{root}"
rootpw "{root_password}"
directory {folder}/db
maxsize 16777216
dbnosync
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{service}" read by * none
overlay memberof
memberof-refint true
"""


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], capture_output=True, check=True)


class Authority:
    """Makes certificates; `path` is its own."""

    def __init__(self, folder, name="ca"):
        self._folder = pathlib.Path(folder)
        self.path = self._folder / f"{name}.pem"
        self._key = self._folder / f"{name}.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", f"/CN=Tests {name}", "-keyout", self._key, "-out", self.path)

    def certificate(self, stem, names):
        """(certificate, key) for those names, as subjectAltName has them."""
        key, request = self._folder / f"{stem}.key", self._folder / f"{stem}.csr"
        certificate, extensions = self._folder / f"{stem}.pem", self._folder / f"{stem}.ext"
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=directory",
                "-keyout", key, "-out", request)
        extensions.write_text(f"subjectAltName={names}\n")
        openssl("x509", "-req", "-in", request, "-CA", self.path, "-CAkey", self._key, "-CAcreateserial", "-days", "2",
                "-extfile", extensions, "-out", certificate)
        return certificate, key


def ldif_lines(name, value):
    data = value if isinstance(value, bytes) else value.encode()
    return f"{name}:: {base64.b64encode(data).decode()}\n"


class Slapd:
    """`certificate`: a pair of Authority's; without one the server knows no TLS. `extra` goes into its configuration."""

    def __init__(self, folder, certificate=None, extra=""):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(exist_ok=True)
        (self.folder / "db").mkdir()
        self.port, self.tls_port = free_port(), free_port()
        self.url, self.tls_url = f"ldap://127.0.0.1:{self.port}", f"ldaps://127.0.0.1:{self.tls_port}"
        self._has_tls = certificate is not None
        if certificate:
            extra += f"\nTLSCertificateFile {certificate[0]}\nTLSCertificateKeyFile {certificate[1]}\n"
        (self.folder / "slapd.conf").write_text(CONFIG.format(
            folder=self.folder, extra=extra, base=BASE, root=ROOT, root_password=ROOT_PASSWORD, service=SERVICE))
        self._process = None
        self.start()
        self.plant()

    def start(self):
        program = shutil.which("slapd") or "/usr/sbin/slapd"
        urls = self.url + (f" {self.tls_url}" if self._has_tls else "")
        with open(self.folder / "log", "a") as log:
            self._process = subprocess.Popen([program, "-d", "0", "-h", urls, "-f", self.folder / "slapd.conf"],
                                             stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert self._process.poll() is None and time.monotonic() < deadline, (self.folder / "log").read_text()
                time.sleep(0.01)

    def stop(self):
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(20)

    def plant(self):
        self.add(BASE, objectClass=["dcObject", "organization"], dc="acme", o="Acme")
        self.add(PEOPLE, objectClass="organizationalUnit", ou="people")
        self.add(GROUPS, objectClass="organizationalUnit", ou="groups")
        self.add(SERVICE, objectClass=["applicationProcess", "simpleSecurityObject"], cn="berth",
                 userPassword=SERVICE_PASSWORD)

    def change(self, ldif):
        subprocess.run(["ldapmodify", "-x", "-H", self.url, "-D", ROOT, "-w", ROOT_PASSWORD], input=ldif.encode(),
                       capture_output=True, check=True)

    def add(self, dn, **attributes):
        lines = ldif_lines("dn", dn) + "changetype: add\n"
        for name, values in attributes.items():
            lines += "".join(ldif_lines(name, value) for value in (values if isinstance(values, list) else [values]))
        self.change(lines + "\n")

    def add_person(self, uid, password, cn=None, under=PEOPLE, **attributes):
        dn = f"uid={uid},{under}"
        self.add(dn, objectClass="inetOrgPerson", uid=uid, cn=cn or uid.title(), sn="Lee", userPassword=password,
                 mail=f"{uid}@acme.example", **attributes)
        return dn

    def add_group(self, name, *members, under=GROUPS):
        self.add(f"cn={name},{under}", objectClass="groupOfNames", cn=name, member=[NOBODY, *members])

    def _member(self, verb, group, dn):
        self.change(ldif_lines("dn", f"cn={group},{GROUPS}") + f"changetype: modify\n{verb}: member\n" +
                    ldif_lines("member", dn) + "\n")

    def enter(self, group, dn):
        self._member("add", group, dn)

    def leave(self, group, dn):
        self._member("delete", group, dn)

    def remove(self, dn):
        self.change(ldif_lines("dn", dn) + "changetype: delete\n\n")

    def rename(self, dn, rdn):
        self.change(ldif_lines("dn", dn) + "changetype: modrdn\n" + ldif_lines("newrdn", rdn) + "deleteoldrdn: 1\n\n")
