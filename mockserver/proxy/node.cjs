// For Node before 22.21 and 24, whose fetch and https heed no proxy variables: TLS to Azure's names ends at the mock, to other
// hosts nowhere. Newer versions come with a connection through the proxy, which passes as it is.
"use strict";
const tls = require("node:tls");

const { MOCKSERVER_TLS_PORT: port, MOCKSERVER_HOSTS: azure, MOCKSERVER_ALLOWED: allowed } = process.env;
const connect = tls.connect;
const isAmong = (host, patterns) => new RegExp(`^(${patterns})$`, "i").test(host);

tls.connect = function (options, ...others) {
  if (!port || !options || typeof options !== "object" || options.socket || options.path) return connect(options, ...others);
  const host = (options.host || "localhost").replace(/\.$/, "");
  if (isAmong(host, azure)) {
    return connect({ ...options, host: "127.0.0.1", port, servername: options.servername || host }, ...others);
  }
  if (isAmong(host, allowed)) return connect(options, ...others);
  throw new Error(`mockserver refused to connect to ${host}, which is not Azure's; --allow-host ${host} passes it on`);
};
require("node:module").syncBuiltinESMExports();
