// An authorization server that nobody here wrote: npm's oidc-provider on loopback, with clients given as JSON.
//
// It issues JWTs for one audience, by client_credentials (private_key_jwt) and by authorization code with PKCE. What
// `people` says of whoever has logged in, such as the `patient` they have chosen, stands in the token and beside it, as
// SMART App Launch has it. Its first line is READY and its issuer.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Provider, errors } from 'oidc-provider';

const { audience, scope, clients, people, port } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const contextOf = (token) => JSON.parse(readFileSync(people, 'utf8'))[token?.accountId] ?? {};
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

let answer;
const server = createServer((request, response) => answer(request, response));
server.listen(port, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients,
    clientBasedCORS: (_, origin, client) => client.redirectUris.some((uri) => new URL(uri).origin === origin),
    cookies: { keys: [randomBytes(16).toString('hex')] },
    enabledJWA: { clientAuthSigningAlgValues: ['RS384', 'ES384'] },
    extraParams: {
      aud(_, value) {
        if (value && value !== audience) throw new errors.InvalidRequest('aud is another FHIR server');
      },
    },
    extraTokenClaims: (_, token) => contextOf(token),
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
    // The keys of clients are on loopback, too, which its own dispatcher refuses to call.
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', kid: randomBytes(8).toString('hex') }] },
    pkce: { required: () => true },
    scopes: ['openid', ...scope.split(' ')],
  });
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.oidc?.route === 'token' && ctx.status === 200) {
      ctx.body = { ...ctx.body, ...contextOf(ctx.oidc.entities.AccessToken) };
    }
  });
  answer = provider.callback();
  console.log(`READY ${issuer}`);
});
