"""Files in a bucket of Amazon S3, or of any store that speaks its protocol."""

from __future__ import annotations

from datetime import timedelta

import obstore
from obstore import exceptions
from obstore.store import S3Store as Bucket

from bpn.ports.readers import SourceUnavailableError

_TIMEOUT = timedelta(seconds=60)
_RETRIES = 3


class S3Store:
    """A FileStore in a bucket.

    Args:
        bucket: its name.
        endpoint: base URL of a store that is not Amazon's; None for Amazon's.
        region: where the bucket is.
        access_key_id: whose key.
        secret_access_key: its secret.
    """

    def __init__(
        self, bucket: str, *, endpoint: str | None, region: str, access_key_id: str, secret_access_key: str
    ) -> None:
        self._bucket = Bucket(
            bucket,
            endpoint=endpoint,
            region=region,
            access_key_id=access_key_id,
            secret_access_key=secret_access_key,
            virtual_hosted_style_request=endpoint is None,
            client_options={"timeout": _TIMEOUT, "allow_http": endpoint is not None and endpoint.startswith("http://")},
            retry_config={"max_retries": _RETRIES, "retry_timeout": _TIMEOUT},
        )

    async def put(self, key: str, content: bytes) -> None:
        """See FileStore."""
        try:
            await obstore.put_async(self._bucket, key, content)
        except (OSError, exceptions.BaseError) as error:
            raise _unavailable(error) from error

    async def get(self, key: str) -> bytes | None:
        """See FileReader."""
        try:
            found = await obstore.get_async(self._bucket, key)
            return bytes(await found.bytes_async())
        except (FileNotFoundError, exceptions.NotFoundError):
            return None
        except (OSError, exceptions.BaseError) as error:
            raise _unavailable(error) from error

    async def delete(self, key: str) -> None:
        """See FileStore."""
        try:
            await obstore.delete_async(self._bucket, key)
        except (FileNotFoundError, exceptions.NotFoundError):
            return
        except (OSError, exceptions.BaseError) as error:
            raise _unavailable(error) from error


def _unavailable(error: Exception) -> SourceUnavailableError:
    """Its first line: the rest of such a message may hold headers."""
    return SourceUnavailableError(f"the bucket of files: {str(error).splitlines()[0][:200]}")
