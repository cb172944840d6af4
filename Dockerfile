FROM python:3.13-slim

WORKDIR /app
COPY pyproject.toml README.md LICENSE ./
COPY mockserver ./mockserver
RUN pip install --no-cache-dir '.[tls]' && useradd --create-home --uid 10001 mockserver && mkdir /scenarios

USER mockserver
VOLUME /scenarios
EXPOSE 4650
HEALTHCHECK --interval=10s --timeout=2s --start-period=2s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:4650/_mock/health', timeout=1)"]
ENTRYPOINT ["mockserver"]
CMD ["serve", "--host", "0.0.0.0", "/scenarios"]
