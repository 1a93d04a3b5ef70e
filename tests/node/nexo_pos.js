// A POS with an unmodified client library: takes steps from stdin as JSON lines, prints what it hears as JSON lines.
//
//   node nexo_pos.js adyen-32 '{"endpoint":"https://127.0.0.1","apiKey":"...","certificate":"ca.pem","key":{...}}'
//
// A step is {"category", "request", "number", "sale"?, "class"?, "poi"?, "form"?: "encrypted"|"plain", "timeout"?, "later"?}.
// Its answer is {"number", "heard"} or {"number", "error"}. A step with `later` is not waited for.

"use strict";

const fs = require("fs");
const path = require("path");
const readline = require("readline");

const [library, given] = process.argv.slice(2);
const setup = JSON.parse(given);
const root = path.join(__dirname, "node_modules", library);
const { Client, Config, TerminalLocalAPI } = require(root);
const PlainAPI = require(path.join(root, "lib/src/services/terminalLocalAPIUnencrypted")).default;
const key = setup.key && JSON.parse(fs.readFileSync(setup.key, "utf8"));

function client(step) {
  const config = {
    apiKey: step.apiKey ?? setup.apiKey,
    environment: "TEST",
    terminalApiLocalEndpoint: setup.endpoint,
    certificatePath: setup.certificate,
    connectionTimeoutMillis: step.timeout ?? 30000,
  };
  return library === "adyen-32" ? new Client(new Config(config)) : new Client({ config: new Config(config) });
}

function message(step) {
  const messageClass = step.class ?? "Service";
  const number = messageClass === "Device" ? { DeviceID: step.number } : { ServiceID: step.number };
  const header = {
    ProtocolVersion: "3.0",
    MessageClass: messageClass,
    MessageCategory: step.category,
    MessageType: "Request",
    SaleID: step.sale ?? "TILL-04",
    POIID: step.poi ?? setup.poi,
    ...number,
  };
  return { SaleToPOIRequest: { MessageHeader: header, [`${step.category}Request`]: step.request } };
}

async function exchange(step) {
  const told = { number: step.number };
  try {
    const asked = message(step);
    const heard =
      (step.form ?? setup.form) === "plain"
        ? await new PlainAPI(client(step)).request(asked)
        : await new TerminalLocalAPI(client(step)).request(asked, key);
    told.heard = heard.SaleToPOIResponse ?? {};
  } catch (error) {
    told.error = error.message;
    told.status = error.statusCode;
  }
  console.log(JSON.stringify(told));
}

(async () => {
  console.log(JSON.stringify({ ready: library }));
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const step = JSON.parse(line);
    const done = exchange(step);
    if (!step.later) await done;
  }
})();
