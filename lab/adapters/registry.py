"""Whether a container registry is in reach, asked through the engine, so that its mirrors and proxies count."""

import docker
import requests
from docker.errors import DockerException


def answers(image: str, timeout_s: float) -> bool:
    """Does the registry that the engine would pull this image from tell about it within the time?

    Args:
        image: the name to ask for, `name:tag` or `host:port/name:tag`; nothing is pulled.
        timeout_s: seconds to wait; a packet filter that drops everything never answers.
    """
    try:
        client = docker.from_env(timeout=timeout_s)  # type: ignore[arg-type]  # the stubs want whole seconds
        try:
            client.images.get_registry_data(image)
        finally:
            client.close()
    except (DockerException, requests.RequestException):
        return False
    return True
