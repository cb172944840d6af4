import os
import sys

from openai import OpenAI

client = OpenAI(base_url="https://contoso.openai.azure.com/openai/v1/", api_key=os.environ["AZURE_OPENAI_API_KEY"])
sys.stdout.write(client.responses.create(model="gpt-4.1-nano", input=sys.argv[1]).output_text)
