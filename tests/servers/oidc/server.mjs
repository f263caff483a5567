// An authorization server that nobody here wrote: npm's oidc-provider on loopback, with clients given as JSON.
//
// It issues JWTs for one audience, by client_credentials (private_key_jwt) and by authorization code with PKCE, and puts
// into them the launch context of the client (`patient`, `fhirUser`). Its first line is READY and its issuer.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const { audience, scope, clients } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const contexts = new Map(clients.map(({ client_id: id, context }) => [id, context]));
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

let answer;
const server = createServer((request, response) => answer(request, response));
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: clients.map(({ context, ...client }) => client),
    cookies: { keys: [randomBytes(16).toString('hex')] },
    enabledJWA: { clientAuthSigningAlgValues: ['RS384', 'ES384'] },
    extraTokenClaims: (_, token) => contexts.get(token.clientId),
    features: {
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          audience,
          scope,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 300,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', kid: randomBytes(8).toString('hex') }] },
    pkce: { required: () => true },
    scopes: ['openid', ...scope.split(' ')],
  });
  answer = provider.callback();
  console.log(`READY ${issuer}`);
});
