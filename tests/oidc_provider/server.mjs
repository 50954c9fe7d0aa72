// Starts the npm package oidc-provider over HTTPS, for the tests.
//
// Usage: node server.mjs <directory with node_modules>. One line of JSON on standard input says what to serve:
// { key, certificate, lifetime, resource, redirect, secret, clientCertificate }. One line of JSON on standard output
// says { issuer }. What the provider did is told at /said: { issued: [grant types], refused: [errors] }. It ends with
// its input.

import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const library = join(process.argv[2], 'node_modules', 'oidc-provider', 'lib', 'index.js');
const { default: Provider } = await import(pathToFileURL(library).href);

const input = createInterface({ input: process.stdin });
const settings = JSON.parse((await input[Symbol.asyncIterator]().next()).value);
input.on('close', () => process.exit(0));
input.resume();

const said = { issued: [], refused: [] };
const certificateKey = createPublicKey(settings.clientCertificate).export({ format: 'jwk' });
const signingKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });

const asItself = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [] };
const configuration = {
  clients: [
    {
      client_id: 'erp',
      client_secret: settings.secret,
      token_endpoint_auth_method: 'client_secret_post',
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      redirect_uris: [settings.redirect],
    },
    { client_id: 'erp-basic', client_secret: settings.secret, token_endpoint_auth_method: 'client_secret_basic', ...asItself },
    {
      client_id: 'erp-certificate',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [{ ...certificateKey, use: 'sig' }] },
      ...asItself,
    },
  ],
  jwks: { keys: [{ ...signingKey, use: 'sig', alg: 'RS256', kid: 'signing' }] },
  cookies: { keys: ['a key of this process alone'] },
  scopes: ['openid', 'offline_access'],
  enabledJWA: { clientAuthSigningAlgValues: ['PS256', 'RS256'] },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  ttl: { AccessToken: settings.lifetime, ClientCredentials: settings.lifetime, RefreshToken: 600, Grant: 600, Session: 600, Interaction: 600, IdToken: 600 },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_, resource) => ({
        scope: 'EWS.AccessAsUser.All',
        audience: resource,
        accessTokenTTL: settings.lifetime,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
  // The names under which Exchange looks for permissions and the user.
  extraTokenClaims: (_, token) => (token.kind === 'ClientCredentials'
    ? { roles: ['full_access_as_app'] }
    : { scp: 'EWS.AccessAsUser.All', upn: token.accountId }),
};

const server = createServer({ key: settings.key, cert: settings.certificate });
server.listen(0, '127.0.0.1', () => {
  const issuer = `https://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, configuration);
  provider.on('grant.success', (ctx) => said.issued.push(ctx.oidc.params.grant_type));
  for (const event of ['grant.error', 'server_error', 'authorization.error']) {
    provider.on(event, (_, error) => said.refused.push(error.error ?? String(error)));
  }
  const answer = provider.callback();
  server.on('request', (request, response) => (
    request.url === '/said' ? response.end(JSON.stringify(said)) : answer(request, response)));
  process.stdout.write(`${JSON.stringify({ issuer })}\n`);
});
