// Signs and judges requests with the providers' own packages: one JSON document a line in, one out.
//   {"do": "sign", "provider", "secret", "body", "at", "id", "url"}   -> {"headers": [[name, …]]}
//   {"do": "judge", "provider", "secret", "body", "headers", "url"}   -> {"ok": true or false}
import {createHmac} from 'node:crypto';
import {createRequire} from 'node:module';
import path from 'node:path';
import {parse} from 'node:querystring';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';

const require = createRequire(import.meta.url);
const here = path.dirname(fileURLToPath(import.meta.url));
const {Webhooks} = await import('@octokit/webhooks');
const stripe = new (require('stripe'))('sk_test_none');
const slack = require(path.join(here, 'node_modules/@slack/bolt/dist/receivers/verify-request.js'));
const twilio = require('twilio');
const {Webhook: Standard} = require('standardwebhooks');
const {Webhook: Svix} = require('svix');

const form = (body) => Object.assign({}, parse(body));

const packages = {
  github: {
    sign: async (r) => [
      ['X-Hub-Signature-256', await new Webhooks({secret: r.secret}).sign(r.body)],
    ],
    judge: (r, h) => new Webhooks({secret: r.secret}).verify(r.body, h['x-hub-signature-256']),
  },
  stripe: {
    sign: (r) => [[
      'Stripe-Signature',
      stripe.webhooks.generateTestHeaderString(
        {payload: r.body, secret: r.secret, timestamp: r.at}),
    ]],
    judge: (r, h) =>
      stripe.webhooks.signature.verifyHeader(r.body, h['stripe-signature'], r.secret, 300),
  },
  slack: {
    // The package only verifies.
    sign: (r) => [
      ['X-Slack-Request-Timestamp', String(r.at)],
      ['X-Slack-Signature',
       'v0=' + createHmac('sha256', r.secret).update(`v0:${r.at}:${r.body}`).digest('hex')],
    ],
    judge: (r, h) => {
      slack.verifySlackRequest({
        signingSecret: r.secret,
        body: r.body,
        headers: {
          'x-slack-signature': h['x-slack-signature'],
          'x-slack-request-timestamp': Number(h['x-slack-request-timestamp']),
        },
      });
      return true;
    },
  },
  twilio: {
    sign: (r) => [['X-Twilio-Signature',
                   twilio.getExpectedTwilioSignature(r.secret, r.url, form(r.body))]],
    judge: (r, h) =>
      twilio.validateRequest(r.secret, h['x-twilio-signature'], r.url, form(r.body)),
  },
  'standard-webhooks': {
    sign: (r) => [
      ['webhook-id', r.id],
      ['webhook-timestamp', String(r.at)],
      ['webhook-signature', new Standard(r.secret).sign(r.id, new Date(r.at * 1000), r.body)],
    ],
    judge: (r, h) => (new Standard(r.secret).verify(r.body, h), true),
  },
  svix: {
    sign: (r) => [
      ['svix-id', r.id],
      ['svix-timestamp', String(r.at)],
      ['svix-signature', new Svix(r.secret).sign(r.id, new Date(r.at * 1000), r.body)],
    ],
    judge: (r, h) => (new Svix(r.secret).verify(r.body, h), true),
  },
};
// Their verify() parses the body as JSON in the end; what is no JSON is judged all the same.
const isParsing = (error) => error instanceof SyntaxError;

async function answer(request) {
  const named = packages[request.provider];
  if (request.do === 'sign') return {headers: await named.sign(request)};
  const headers = {};
  for (const [name, value] of request.headers) headers[name.toLowerCase()] = value;
  try {
    return {ok: Boolean(await named.judge(request, headers))};
  } catch (error) {
    return {ok: isParsing(error), why: String(error.message)};
  }
}

for await (const line of createInterface({input: process.stdin})) {
  console.log(JSON.stringify(await answer(JSON.parse(line))));
}
