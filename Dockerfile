# The command line as a container image. Build it where there is a registry: docker build -t aks-copilot .
# Not built here (the machine that it was written on reaches no registry), so the base is pinned by tag; pin it by digest when you build.
FROM python:3.12.11-slim-bookworm AS build
WORKDIR /source
COPY requirements.lock requirements.txt ./
RUN python -m venv /opt/aks-copilot \
    && /opt/aks-copilot/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock
COPY LICENSE README.md pyproject.toml function_app.py ./
COPY shared ./shared
COPY functions ./functions
COPY funchost ./funchost
RUN /opt/aks-copilot/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-deps .

FROM python:3.12.11-slim-bookworm
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin copilot
COPY --from=build /opt/aks-copilot /opt/aks-copilot
ENV PATH=/opt/aks-copilot/bin:$PATH PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /work
ENTRYPOINT ["aks-copilot"]
CMD ["--help"]
