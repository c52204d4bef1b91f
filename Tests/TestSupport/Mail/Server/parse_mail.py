"""Prints as JSON how Python's email package reads the message on standard input."""
import base64
import email
import email.policy
import json
import sys

message = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
defects = [str(defect) for part in message.walk() for defect in part.defects]
bodies = {}
attachments = []
for part in message.walk():
    if part.is_multipart():
        continue
    if part.is_attachment():
        attachments.append({
            "name": part.get_filename(),
            "type": part.get_content_type(),
            "bytes": base64.b64encode(part.get_payload(decode=True)).decode(),
        })
    else:
        bodies[part.get_content_type()] = part.get_payload(decode=True).decode(part.get_content_charset())
print(json.dumps({
    "headers": [[name, str(value)] for name, value in message.items()],
    "to": [[address.display_name, address.addr_spec] for address in message["To"].addresses],
    "types": [part.get_content_type() for part in message.walk()],
    "date": message["Date"].datetime.isoformat(),
    "bodies": bodies,
    "attachments": attachments,
    "defects": defects,
}))
