#!/bin/sh
# Plain HTTP, with either of the two headers that take a key.
set -e

curl -sS --fail -X POST "$AZURE_OPENAI_ENDPOINT/openai/v1/responses" \
  -H "Content-Type: application/json" \
  -H "api-key: $AZURE_OPENAI_API_KEY" \
  -d '{"model": "gpt-4.1-nano", "input": "This is a test"}'
echo

curl -sS --fail -X POST "$AZURE_OPENAI_ENDPOINT/openai/v1/responses" \
  -H "Content-Type: application/json" \
  -H "Authorization: Bearer $AZURE_OPENAI_AUTH_TOKEN" \
  -d '{"model": "gpt-4o", "input": "This is a test"}'
echo

curl -sS --fail -X POST "$AZURE_OPENAI_ENDPOINT/openai/v1/chat/completions" \
  -H "Content-Type: application/json" \
  -H "api-key: $AZURE_OPENAI_API_KEY" \
  -d '{"model": "MAI-DS-R1", "messages": [{"role": "user", "content": "Hello"}]}'
echo

curl -sS --fail -X POST "$AZURE_OPENAI_ENDPOINT/openai/v1/chat/completions" \
  -H "Content-Type: application/json" \
  -H "Authorization: Bearer $AZURE_OPENAI_AUTH_TOKEN" \
  -d '{"model": "grok-3-mini", "messages": [{"role": "user", "content": "Hello"}]}'
