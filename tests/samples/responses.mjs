// The key and the resource's address from the environment.
import OpenAI from "openai";

const client = new OpenAI({
  baseURL: `${process.env.AZURE_OPENAI_ENDPOINT}/openai/v1/`,
  apiKey: process.env.AZURE_OPENAI_API_KEY,
});

const response = await client.responses.create({
  model: "gpt-4.1-nano",
  input: "This is a test.",
});
console.log(JSON.stringify(response));

const completion = await client.chat.completions.create({
  model: "grok-3-mini",
  messages: [{ role: "user", content: "Tell me about the attention is all you need paper" }],
});
console.log(JSON.stringify(completion));

let told = "";
for await (const event of await client.responses.create({ model: "gpt-4o", input: "This is a test.", stream: true })) {
  if (event.type === "response.output_text.delta") told += event.delta;
}
console.log(JSON.stringify(told));
