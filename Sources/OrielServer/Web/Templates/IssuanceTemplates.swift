let issuanceTemplate = """
  {{<layout}}{{$main}}
  <h1>{{#firstName}}<bdi>{{firstName}}</bdi>{{#otherNames}} and {{otherNames}} more{{/otherNames}}{{/firstName}}{{^firstName}}A certificate whose names can't be read{{/firstName}}</h1>
  {{#judged}}
  <section class="card {{#isOpen}}bad{{/isOpen}}" aria-label="Verdict">
  <div class="line"><span class="badge {{level}}">{{levelWords}}</span>{{#isUnproven}}<span class="badge plain">unproven</span>{{/isUnproven}}{{#stateWords}}<span class="badge plain">{{stateWords}}</span>{{/stateWords}}<small class="end">for <a href="/domains/{{domainID}}"><bdi>{{forItem}}</bdi></a></small></div>
  {{#hasFor}}<h2>What speaks for it</h2><ul class="reasons">{{#for}}<li><bdi>{{.}}</bdi></li>{{/for}}</ul>{{/hasFor}}
  {{#hasAgainst}}<h2>What speaks against it</h2><ul class="reasons">{{#against}}<li><bdi>{{.}}</bdi></li>{{/against}}</ul>{{/hasAgainst}}
  {{#changedBy}}<p class="soft">{{stateSaid}} by <bdi>{{changedBy}}</bdi>, <span class="date">{{changedAt}}</span>{{#note}}: <bdi>{{note}}</bdi>{{/note}}</p>{{/changedBy}}
  {{#member.mayWrite}}
  <form method="post" action="/issuances/{{issuance}}/state">{{>code}}<input type="hidden" name="domain" value="{{domainID}}">
  <label for="note">Note <small>(optional)</small></label><input id="note" name="note" maxlength="1000" value="{{noteValue}}"{{#refused.state.note}} aria-invalid="true" aria-describedby="e-note"{{/refused.state.note}}>{{#refused.state.note}}<p class="error" id="e-note">{{.}}</p>{{/refused.state.note}}
  <button class="quiet">Save note</button>
  <div>{{^isClaimed}}<button{{^isNew}} class="quiet"{{/isNew}} name="state" value="claimed">This was us</button> {{/isClaimed}}{{^isDenied}}<button class="danger" name="state" value="denied">This was not us</button> {{/isDenied}}{{#isNew}}<button class="quiet" name="state" value="acknowledged">Seen, can’t say</button>{{/isNew}}{{^isNew}}<button class="quiet" name="state" value="new">Open again</button>{{/isNew}}</div>
  <p class="hint">“This was us” puts it into the inventory. “This was not us” leads to what to do.</p></form>
  <details><summary>Mute alerts about this issuer</summary><form method="post" action="/domains/{{domainID}}/mutes">{{>code}}{{>guard}}<input type="hidden" name="issuer" value="{{issuerKey}}"><label for="until">Until</label><input id="until" name="until" type="date" required><button class="quiet">Mute</button></form></details>
  {{/member.mayWrite}}
  <p><a href="/issuances/{{issuance}}/action?domain={{domainID}}">What to do about it</a></p>
  </section>
  {{/judged}}
  {{#lookalikes}}<section class="card" aria-label="Look-alike"><p><strong><bdi>{{imitation}}</bdi></strong> looks like <bdi>{{imitated}}</bdi>, which you watch. <bdi>{{how}}</bdi></p><p><a href="/issuances/{{issuance}}/action?lookalike={{lookalikeID}}">What to do about it</a></p></section>{{/lookalikes}}
  {{#hasOthers}}<p>Judged for other domains too: {{#others}}<a href="/issuances/{{issuance}}?domain={{domainID}}"><bdi>{{item}}</bdi></a>{{^last()}}, {{/last()}}{{/others}}</p>{{/hasOthers}}
  {{#hasHappenings}}<section id="happenings" data-live aria-labelledby="h-happenings"><h2 id="h-happenings">What happened</h2>
  <ul class="list">{{#firstSeen}}<li class="line"><span>Seen in a log</span><small class="end"><span class="date">{{firstSeen}}</span></small></li>{{/firstSeen}}
  {{#happenings}}<li class="line"><span>{{#judgedAs}}Judged{{#isAgain}} again{{/isAgain}}: <span class="badge {{judgedAs}}">{{levelWords}}</span>{{/judgedAs}}{{#saidBy}}{{said}}, says <bdi>{{saidBy}}</bdi>{{#saidNote}}: <bdi>{{saidNote}}</bdi>{{/saidNote}}{{/saidBy}}{{#toldTo}}<bdi>{{toldTo}}</bdi>: {{told}}{{/toldTo}}{{#happenedFor}} <small>for <bdi>{{happenedFor}}</bdi></small>{{/happenedFor}}</span><small class="end"><span class="date">{{when}}</span></small></li>
  {{/happenings}}</ul></section>{{/hasHappenings}}
  <h2>What it says</h2>
  {{>facts}}
  <h2>Where it was logged</h2>
  <div class="scroll"><table><tr><th scope="col">Log</th><th scope="col" class="number">Entry</th><th scope="col">Logged</th><th scope="col">Inclusion</th></tr>
  {{#sightings}}<tr><td data-label="Log" class="wide"><a href="/logs/{{logID}}"><bdi>{{log}}</bdi></a></td><td data-label="Entry" class="number">{{index}}</td><td data-label="Logged"><span class="date">{{logged}}</span></td><td data-label="Inclusion">{{inclusion}}{{#mayProve}} <form class="inline" method="post" action="/issuances/{{issuance}}/inclusion">{{>code}}<input type="hidden" name="log" value="{{logID}}"><input type="hidden" name="entry" value="{{entry}}">{{#provedFor}}<input type="hidden" name="domain" value="{{provedFor}}">{{/provedFor}}<button class="bare">Inclusion proof</button></form>{{/mayProve}}</td></tr>{{/sightings}}
  </table></div>
  <p class="soft">Issuance <span class="code">{{issuance}}</span>: a certificate and its precertificate are one.</p>
  {{/main}}{{/layout}}
  """

let actionTemplate = """
  {{<layout}}{{$main}}
  <p><a href="/issuances/{{issuance}}{{#domainID}}?domain={{domainID}}{{/domainID}}">The certificate</a></p>
  <h1>What to do about a certificate for <bdi>{{#imitation}}{{imitation}}{{/imitation}}{{^imitation}}{{item}}{{/imitation}}</bdi></h1>
  {{#imitation}}<p>It imitates <bdi>{{item}}</bdi>, which you watch.</p>{{/imitation}}
  {{#mayLookUp}}{{#member.mayWrite}}<form class="card note" method="post" action="/issuances/{{issuance}}/action">{{>code}}{{#domainID}}<input type="hidden" name="domain" value="{{domainID}}">{{/domainID}}{{#lookalikeID}}<input type="hidden" name="lookalike" value="{{lookalikeID}}">{{/lookalikeID}}<p>Nothing is looked up unless you ask for it{{#looksUpCAA}}: the CAA records that there are now{{#looksUpRegistrar}}, and{{/looksUpRegistrar}}{{/looksUpCAA}}{{^looksUpCAA}}:{{/looksUpCAA}}{{#looksUpRegistrar}} who registered the domain, at its registry{{/looksUpRegistrar}}.</p><button class="quiet">Look up <bdi>{{lookUpName}}</bdi></button></form>{{/member.mayWrite}}{{/mayLookUp}}
  {{#lacksRegistrar}}<p class="soft">Registrars can be looked up here once the setting <code>contacts.rdap_bootstrap</code> says where IANA’s list of registries is.</p>{{/lacksRegistrar}}
  <p>In this order. What does not fit here says why.</p>
  <ol class="steps">
  {{#steps}}<li class="card"><h2>{{stepTitle}}</h2>
  <p><span class="badge {{fitBadge}}">{{fitWords}}</span> <bdi>{{why}}</bdi></p>
  {{#addressee}}<p>To <strong><bdi>{{addressee}}</bdi></strong></p>{{/addressee}}
  {{#hasContacts}}<ul>{{#mails}}<li><bdi>{{.}}</bdi></li>{{/mails}}{{#pages}}<li><a href="{{.}}" rel="noopener noreferrer"><bdi>{{.}}</bdi></a></li>{{/pages}}{{#phones}}<li><bdi>{{.}}</bdi></li>{{/phones}}</ul>{{/hasContacts}}
  {{#notes}}<p class="soft"><bdi>{{.}}</bdi></p>{{/notes}}
  {{#report}}<details open><summary>The letter</summary>{{#mailto}}<p><a href="{{mailto}}">Write it in your mail program</a></p>{{/mailto}}<p><strong>Subject:</strong> <bdi>{{subject}}</bdi></p>
  <pre class="whole">{{letter}}</pre></details>{{/report}}
  </li>
  {{/steps}}
  </ol>

  {{/main}}{{/layout}}
  """

let settingsTemplate = """
  {{<layout}}{{$main}}
  <h1>Settings</h1>
  {{#secret}}<section class="card note"><h2>Your token</h2><p>It is shown this once. Keep it like a password.</p><pre tabindex="0">{{secret}}</pre></section>{{/secret}}
  <h2>Account</h2>
  {{#member.mayManage}}<form method="post" action="/settings/name">{{>code}}<label for="name">Name</label><input id="name" name="name" required value="{{nameValue}}"{{#refused.name.name}} aria-invalid="true" aria-describedby="e-name"{{/refused.name.name}}>{{#refused.name.name}}<p class="error" id="e-name">{{.}}</p>{{/refused.name.name}}<button class="quiet">Save</button></form>{{/member.mayManage}}
  {{^member.mayManage}}<p><bdi>{{nameValue}}</bdi></p>{{/member.mayManage}}
  <h2>Members</h2>
  <div class="scroll"><table><tr><th scope="col">Address</th><th scope="col">Role</th><th scope="col">Mail</th><th scope="col"><span class="said">Actions</span></th></tr>
  {{#members}}<tr><td data-label="Address" class="wide"><bdi>{{memberAddress}}</bdi>{{#isSelf}} <small>(you)</small>{{/isSelf}}</td><td data-label="Role">{{#member.mayManage}}<form class="inline" method="post" action="/settings/members/{{memberID}}/role">{{>code}}<label class="said" for="role-{{memberID}}">Role of {{memberAddress}}</label><select id="role-{{memberID}}" name="role">{{#roles}}<option value="{{value}}"{{#isChosen}} selected{{/isChosen}}>{{value}}</option>{{/roles}}</select> <button class="quiet" aria-label="Set the role of {{memberAddress}}">Set</button></form>{{/member.mayManage}}{{^member.mayManage}}{{roleName}}{{/member.mayManage}}</td><td data-label="Mail" class="wide"><bdi>{{mailState}}</bdi>{{#locked}}<br><small>locked since <span class="date">{{locked}}</span></small>{{/locked}}</td><td>{{#member.mayManage}}{{^isActive}}<form class="inline" method="post" action="/settings/members/{{memberID}}/again">{{>code}}<button class="quiet" aria-label="Ask again: {{memberAddress}}">Ask again</button></form>{{/isActive}}<form class="inline" method="post" action="/settings/members/{{memberID}}/lock">{{>code}}<input type="hidden" name="locked" value="{{#locked}}no{{/locked}}{{^locked}}yes{{/locked}}"><button class="quiet" aria-label="{{#locked}}Unlock{{/locked}}{{^locked}}Lock out{{/locked}} {{memberAddress}}">{{#locked}}Unlock{{/locked}}{{^locked}}Lock out{{/locked}}</button></form><form class="inline" method="post" action="/settings/members/{{memberID}}/remove">{{>code}}<button class="danger" aria-label="Remove {{memberAddress}}">Remove</button></form>{{/member.mayManage}}</td></tr>{{/members}}
  </table></div>
  {{#member.mayManage}}<form method="post" action="/settings/members">{{>code}}<div class="fields"><div><label for="address">Add a member</label><input id="address" name="address" type="email" required value="{{typed.address}}"{{#refused.member.address}} aria-invalid="true" aria-describedby="e-member"{{/refused.member.address}}>{{#refused.member.address}}<p class="error" id="e-member">{{.}}</p>{{/refused.member.address}}</div>
  <div><label for="role">Role</label><select id="role" name="role">{{#newRoles}}<option value="{{value}}"{{#isChosen}} selected{{/isChosen}}>{{words}}</option>{{/newRoles}}</select>{{#refused.member.role}}<p class="error" id="e-role">{{.}}</p>{{/refused.member.role}}</div></div><button class="quiet">Add</button></form>{{/member.mayManage}}
  <h2>API tokens</h2>
  <p>With a token, programs do what you may do here: <a href="/api/v1/openapi.json">what they can ask for</a> (OpenAPI).</p>
  {{#hasTokens}}<div class="scroll"><table><tr><th scope="col">Name</th><th scope="col">For</th><th scope="col">Made</th><th scope="col">Last used</th><th scope="col"><span class="said">Actions</span></th></tr>
  {{#tokens}}<tr><td data-label="Name" class="wide"><bdi>{{tokenName}}</bdi></td><td data-label="For">{{scopes}}</td><td data-label="Made"><span class="date">{{made}}</span></td><td data-label="Last used">{{used}}</td><td>{{#revoked}}revoked <span class="date">{{revoked}}</span>{{/revoked}}{{^revoked}}<form class="inline" method="post" action="/settings/tokens/{{tokenID}}/revoke">{{>code}}<button class="danger" aria-label="Revoke {{tokenName}}">Revoke</button></form>{{/revoked}}</td></tr>{{/tokens}}</table></div>{{/hasTokens}}
  <form method="post" action="/settings/tokens">{{>code}}<label for="token-name">A new token, for</label><input id="token-name" name="name" required placeholder="the deploy script" value="{{typed.name}}"{{#refused.token.name}} aria-invalid="true" aria-describedby="e-token"{{/refused.token.name}}>{{#refused.token.name}}<p class="error" id="e-token">{{.}}</p>{{/refused.token.name}}
  <fieldset><legend>It may</legend>{{#scopeChoices}}<label class="check"><input type="checkbox" name="scopes" value="{{value}}"{{#isChosen}} checked{{/isChosen}}> {{words}}</label>{{/scopeChoices}}{{#refused.token.scopes}}<p class="error" id="e-scopes">{{.}}</p>{{/refused.token.scopes}}</fieldset><button class="quiet">Make a token</button></form>
  <h2>Where you are signed in</h2>
  <ul class="list">{{#sessions}}<li class="line whole"><span><bdi>{{browser}}</bdi>{{#isHere}} <small>(here)</small>{{/isHere}}<br><small>last used {{used}}</small></span><form class="inline" method="post" action="/settings/sessions/{{sessionID}}/end">{{>code}}<button class="bare" aria-label="Sign out of {{browser}}, last used {{used}}">Sign out</button></form></li>{{/sessions}}</ul>
  {{#member.mayManage}}<h2>What was done</h2>
  <div class="scroll"><table><tr><th scope="col">When</th><th scope="col">Who</th><th scope="col">What</th></tr>{{#audit}}<tr><td data-label="When"><span class="date">{{when}}</span></td><td data-label="Who"><bdi>{{who}}</bdi></td><td data-label="What" class="wide"><bdi>{{what}}</bdi></td></tr>{{/audit}}</table></div>{{#nextPage}}<p><a rel="next" href="{{nextPage}}">Older</a></p>{{/nextPage}}{{/member.mayManage}}
  {{/main}}{{/layout}}
  """
