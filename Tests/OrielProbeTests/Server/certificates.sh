# Makes, in the current folder: root.pem, inter.pem, leaves ec.pem and rsa.pem below it (with keys), and other.pem.
set -e
ec="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
openssl req -x509 $ec -subj /O=Oriel/CN=root -days 30 -keyout root.key -out root.pem
openssl req -x509 $ec -subj /O=Other/CN=other -days 30 -keyout other.key -out other.pem
cat > inter.ext <<X
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign
authorityInfoAccess=caIssuers;URI:http://ca.example/root.der
X
cat > leaf.ext <<X
subjectAltName=DNS:probe.example,DNS:*.wild.example,IP:127.0.0.1
authorityInfoAccess=OCSP;URI:http://ocsp.example/,caIssuers;URI:ldap://ca.example/,caIssuers;URI:http://ca.example/inter.der
X
issue() { # name subject ca extensions key options
  name=$1 subject=$2 ca=$3 extensions=$4
  shift 4
  openssl req -new "$@" -subj "$subject" -keyout $name.key -out $name.csr
  openssl x509 -req -in $name.csr -CA $ca.pem -CAkey $ca.key -CAcreateserial -days 20 -extfile $extensions -out $name.pem
}
issue inter /O=Oriel/CN=intermediate root inter.ext $ec
issue ec /O=Oriel/CN=ec inter leaf.ext $ec
issue rsa /O=Oriel/CN=rsa inter leaf.ext -newkey rsa:2048 -nodes
cat ec.pem inter.pem > ec-chain.pem
cat rsa.pem inter.pem > rsa-chain.pem
for i in $(seq 40); do cat inter.pem; done > many.pem
for i in $(seq 900); do cat inter.pem; done > huge.pem
