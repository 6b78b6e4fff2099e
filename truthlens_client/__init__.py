"""A client of the TruthLens API: submit videos, wait for their results, fetch them.

    from truthlens_client import Client

    with Client("https://lens.example.org", token="tl_...") as client:
        analysis = client.wait(client.submit("clip.mp4"))
        print(analysis.verdict, analysis.fake_probability)

It knows nothing of the site but its addresses, so it can be copied elsewhere as it is.
"""

from truthlens_client.client import Client
from truthlens_client.documents import Analysis
from truthlens_client.errors import ApiError, Unreachable

__all__ = ["Analysis", "ApiError", "Client", "Unreachable"]
