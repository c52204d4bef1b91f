let firstDayTemplate = """
  {{<layout}}{{$main}}{{>domain-head}}
  {{#notice}}<p class="card note" role="status">{{notice}}</p>{{/notice}}
  {{#isConfirmed}}<p>On <span class="date">{{confirmedOn}}</span> you confirmed what was in use until then. What is listed below in addition counts once you confirm it, too.</p>
  {{#isConfigured.history}}<p>The configuration file says so; change it there.</p>{{/isConfigured.history}}
  {{^isConfigured.history}}{{#member.mayWrite}}<form method="post" action="/domains/{{domainID}}/baseline">{{>code}}<button class="quiet">Take the confirmation back</button></form>{{/member.mayWrite}}{{/isConfigured.history}}{{/isConfirmed}}
  {{^isConfirmed}}<div class="card note"><p><strong>No history yet.</strong> Oriel tells usual certificates from unusual ones by those that are yours. Show it which ones are in use, look through the list, and confirm it. Until then, {{beginningWords}}, as “no history yet”; only what breaks a rule of yours is unexplained.</p></div>{{/isConfirmed}}

  {{#member.mayWrite}}
  <h2>Find what is in use</h2>
  <p>In any of these ways, or several. Nothing counts before you confirm it.</p>
  {{#mayProbe}}
  <section class="card" aria-labelledby="h-probe"><h3 id="h-probe">Look at your servers</h3>
  <form method="post" action="/domains/{{domainID}}/first-day/probe">{{>code}}
  <p>This machine connects once to {{#usual}}<bdi class="code">{{.}}</bdi>{{^last()}}, {{/last()}}{{/usual}}, and to others that you name.</p>
  <label for="hosts">Other hosts <small>(not needed)</small></label>
  <textarea class="short" id="hosts" name="hosts" spellcheck="false" autocapitalize="none" aria-describedby="e-hosts"{{#refused.probe.hosts}} aria-invalid="true"{{/refused.probe.hosts}}>{{typed.hosts}}</textarea>
  {{#refused.probe.hosts}}<p class="error" id="e-hosts">{{.}}</p>{{/refused.probe.hosts}}{{^refused.probe.hosts}}<p class="hint" id="e-hosts">One in each line, with a port if it is not 443: <code>shop.example.com</code>, <code>mx.example.com:25</code>.</p>{{/refused.probe.hosts}}
  <button class="quiet">Look</button></form>
  {{#run}}<div id="looked" role="status"><p class="soft">{{#isOver}}Looked on <span class="date">{{when}}</span>:{{/isOver}}{{^isOver}}Looking, {{progress}} done. <a href="/domains/{{domainID}}/first-day#looked">See what there is by now</a>{{/isOver}}</p>
  <ul>{{#results}}<li><bdi class="code">{{place}}</bdi>: <bdi>{{words}}</bdi></li>{{/results}}</ul></div>{{/run}}
  </section>
  {{/mayProbe}}
  <section class="card" aria-labelledby="h-upload"><h3 id="h-upload">Upload certificates</h3>
  <form method="post" action="/domains/{{domainID}}/first-day/upload" enctype="multipart/form-data">{{>code}}
  <label for="file">Files</label>
  <input id="file" name="file" type="file" multiple aria-describedby="h-file{{#refused.upload.file}} e-file{{/refused.upload.file}}"{{#refused.upload.file}} aria-invalid="true"{{/refused.upload.file}}>
  {{#refused.upload.file}}<p class="error" id="e-file">{{.}}</p>{{/refused.upload.file}}
  <p class="hint" id="h-file">PEM, single ones or bundles, or DER. With the issuer’s certificate in it, Oriel knows the CA as well. Never private keys.</p>
  <details{{#refused.upload.hash}} open{{/refused.upload.hash}}><summary>Or paste them</summary>
  <label for="pem">Certificates as PEM</label>
  <textarea class="code" id="pem" name="pem" spellcheck="false"{{#refused.upload.hash}} aria-invalid="true" aria-describedby="e-pem"{{/refused.upload.hash}}>{{typed.pem}}</textarea>
  {{#refused.upload.hash}}<p class="error" id="e-pem">{{.}}</p>{{/refused.upload.hash}}</details>
  <button class="quiet">Upload</button></form></section>
  {{#crtsh}}
  <section class="card" aria-labelledby="h-crtsh"><h3 id="h-crtsh">Import from crt.sh</h3>
  <form method="post" action="/domains/{{domainID}}/first-day/crtsh" enctype="multipart/form-data">{{>code}}
  <p>Save <a href="{{crtsh}}" rel="noopener noreferrer"><bdi>{{crtsh}}</bdi></a> as a file. It tells names, dates, and what issuers call themselves; keys it does not tell.</p>
  <label for="json">The file</label>
  <input id="json" name="file" type="file" accept=".json,application/json" required{{#refused.crtsh.file}} aria-invalid="true" aria-describedby="e-json"{{/refused.crtsh.file}}>
  {{#refused.crtsh.file}}<p class="error" id="e-json">{{.}}</p>{{/refused.crtsh.file}}
  <button class="quiet">Import</button></form></section>
  {{/crtsh}}
  {{/member.mayWrite}}

  {{#needsConfirming}}
  <h2>Look through it, and confirm</h2>
  {{#seenWords}}<p>Since this domain is on, Oriel has seen <a href="/domains/{{domainID}}?state=new">{{seenWords}}</a> in the logs that nothing explains yet. Confirming takes them for yours, except those that break a rule of yours. If one is not yours, open it and say so first.</p>{{/seenWords}}
  <form method="post" action="/domains/{{domainID}}/first-day/confirm">{{>code}}{{>guard}}<input type="hidden" name="listed" value="{{listed}}">
  {{#hasList}}<p>{{listWords}} listed. Take the tick off whatever is not yours, or that you can’t account for.</p>
  <ul class="list">{{#groups}}<li><label class="check"><input type="checkbox" name="ours" value="{{value}}"{{#isTicked}} checked{{/isTicked}}{{^member.mayWrite}} disabled{{/member.mayWrite}}><span><span class="names">{{#names}}<bdi>{{.}}</bdi>{{^last()}}, {{/last()}}{{/names}}</span>{{#moreNames}} <small>and {{moreNames}} more</small>{{/moreNames}}<br><span class="soft">{{#several}}{{several}}, {{/several}}<span class="date">{{from}}</span> to <span class="date">{{to}}</span>, by <bdi>{{#ca}}{{ca}}{{/ca}}{{^ca}}{{issuer}}{{/ca}}</bdi></span><br><small><bdi>{{origin}}</bdi></small></span></label></li>
  {{/groups}}</ul>{{/hasList}}
  {{^hasList}}{{^seenWords}}<p>{{#mayConfirm}}All that is known of this domain has been answered or explained.{{/mayConfirm}}{{^mayConfirm}}Nothing found yet. Add the certificates in use above, or come back once Oriel has seen one.{{/mayConfirm}}</p>{{/seenWords}}{{/hasList}}
  {{#hasIssuers}}{{#member.mayWrite}}
  <h3>Whose CAs these are</h3>
  <p class="hint">crt.sh does not tell. Named, their renewals are expected later on; left empty, only the names are known.</p>
  {{#issuers}}
  <label for="ca-{{number}}"><bdi>{{issuer}}</bdi> <small>({{count}})</small></label>
  <input type="hidden" name="issuer" value="{{issuerValue}}"><input id="ca-{{number}}" name="ca" list="cas" value="{{ca}}" maxlength="200" autocomplete="off"{{#refused.confirm.owners}} aria-invalid="true" aria-describedby="e-cas"{{/refused.confirm.owners}}>
  {{/issuers}}
  {{#refused.confirm.owners}}<p class="error" id="e-cas">{{.}}</p>{{/refused.confirm.owners}}
  {{/member.mayWrite}}{{/hasIssuers}}
  {{#refused.confirm.listed}}<p class="error" id="e-listed">{{.}}</p>{{/refused.confirm.listed}}
  {{#member.mayWrite}}<p>{{#hasList}}<button>The ticked ones are ours</button> <button class="quiet" name="all" value="yes">All of them are ours</button>{{/hasList}}{{^hasList}}{{#mayConfirm}}<button>Confirm</button>{{/mayConfirm}}{{/hasList}}</p>{{/member.mayWrite}}
  </form>
  <datalist id="cas">{{#caNames}}<option value="{{.}}"></option>{{/caNames}}</datalist>
  {{/needsConfirming}}
  {{/main}}{{/layout}}
  """
