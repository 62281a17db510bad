"""Moto's S3 on a free port, with keys that are checked, until whoever started it closes its input.

Prints three lines: http://KEY:SECRET@127.0.0.1:PORT for a user who may do everything in every bucket, the same for one
who may only read, and http://127.0.0.1:PORT of the tests' own look behind it: POST /BUCKET makes a bucket, PUT
/BUCKET/KEY an object in it, GET /BUCKET tells its keys, those of its unfinished uploads, and how many parts
these hold.
"""

import json
import logging
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# What botocore asks for although it goes nowhere.
os.environ.update(AWS_ACCESS_KEY_ID="boss", AWS_SECRET_ACCESS_KEY="boss", AWS_DEFAULT_REGION="us-east-1")
logging.getLogger("werkzeug").setLevel(logging.ERROR)

import boto3  # noqa: E402
from moto import settings  # noqa: E402
from moto.core.responses import ActionAuthenticatorMixin  # noqa: E402
from moto.server import ThreadedMotoServer  # noqa: E402


def user(iam, name, actions):
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
iam = boto3.client("iam", endpoint_url=f"http://{host}:{port}")
users = [user(iam, "pitlane", ["s3:*"]), user(iam, "reader", ["s3:GetObject", "s3:ListBucket"])]
# From here on every request must be signed by one of them.
settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
ActionAuthenticatorMixin.request_count = 0
key, secret = users[0]
s3 = boto3.client(
    "s3", endpoint_url=f"http://{host}:{port}", aws_access_key_id=key, aws_secret_access_key=secret
)


def parts_of(bucket, upload):
    try:
        told = s3.list_parts(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    except s3.exceptions.NoSuchUpload:
        # It has come to an end since it was listed.
        return 0
    return len(told.get("Parts", []))


class Look(BaseHTTPRequestHandler):
    def answer(self, told):
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        s3.create_bucket(Bucket=self.path[1:])
        self.answer({})

    def do_PUT(self):
        bucket, key = self.path[1:].split("/", 1)
        s3.put_object(Bucket=bucket, Key=key, Body=self.rfile.read(int(self.headers["Content-Length"])))
        self.answer({})

    def do_GET(self):
        bucket = self.path[1:]
        keys = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
        uploads = s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
        told = {"keys": [it["Key"] for it in keys], "unfinished": [it["Key"] for it in uploads]}
        self.answer(told | {"parts": sum(parts_of(bucket, it) for it in uploads)})

    def log_message(self, *_):
        pass


look = ThreadingHTTPServer(("127.0.0.1", 0), Look)
threading.Thread(target=look.serve_forever, daemon=True).start()
for key, secret in users:
    print(f"http://{key}:{secret}@{host}:{port}", flush=True)
print(f"http://127.0.0.1:{look.server_port}", flush=True)
sys.stdin.read()
server.stop()
