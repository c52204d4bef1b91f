let inventoryTemplate = """
  {{<layout}}{{$main}}{{>domain-head}}
  {{#notice}}<p class="card note" role="status">{{notice}}</p>{{/notice}}
  <p>Certificates and keys that you told Oriel are yours, backup ones included. What is in here is known, and alerts nobody.</p>
  {{#hasUnread}}<section class="card bad" aria-labelledby="h-unread"><h2 id="h-unread">Files that can’t be read</h2><ul>{{#unread}}<li><bdi class="code">{{path}}</bdi>: <bdi>{{problem}}</bdi></li>{{/unread}}</ul>{{#moreUnread}}<p>And {{moreUnread}} more.</p>{{/moreUnread}}</section>{{/hasUnread}}
  {{#hasEntries}}
  <div class="scroll" tabindex="0" role="region" aria-label="Inventory"><table><tr><th scope="col">What</th><th scope="col">From</th><th scope="col">In a log</th><th scope="col">Last told</th><th scope="col">Expires</th><th scope="col"><span class="said">Actions</span></th></tr>
  {{#entries}}<tr><td data-label="What" class="wide">{{kindOf}} {{#names}}<bdi>{{.}}</bdi>{{^last()}}, {{/last()}}{{/names}}{{#moreNames}} and {{moreNames}} more{{/moreNames}}{{#isBackup}} <span class="badge plain">backup</span>{{/isBackup}}<br><small class="code">{{#isCertificate}}{{#isSighted}}<a href="/issuances/{{hash}}">{{hash}}</a>{{/isSighted}}{{^isSighted}}{{hash}}{{/isSighted}}{{/isCertificate}}{{^isCertificate}}{{hash}}{{/isCertificate}}</small></td><td data-label="From" class="wide"><bdi>{{origin}}</bdi></td><td data-label="In a log"><span class="date">{{sighted}}</span></td><td data-label="Last told"><span class="date">{{told}}</span></td><td data-label="Expires"><span class="date">{{expires}}</span>{{#isOver}} <small>(over)</small>{{/isOver}}</td><td>{{#removed}}removed <span class="date">{{removed}}</span>{{/removed}}{{^removed}}{{#member.mayWrite}}<form class="inline" method="post" action="/domains/{{domainID}}/inventory/{{entryID}}/remove">{{>code}}<button class="danger" aria-label="Remove {{kindOf}} {{hash}}">Remove</button></form>{{/member.mayWrite}}{{/removed}}</td></tr>{{/entries}}
  </table></div>
  <p class="hint">“In a log” is when a log last showed it; “last told”, when whoever tells of it last did.</p>
  {{#nextPage}}<p><a rel="next" href="{{nextPage}}">More</a></p>{{/nextPage}}
  {{/hasEntries}}
  {{^hasEntries}}<p>It is empty.</p>{{/hasEntries}}

  <h2>Is that all?</h2>
  {{#isComplete}}<p>You said that this inventory is <strong>complete</strong>: a certificate that is not in it, and whose key is not, is unexplained, however usual it looks.</p>{{/isComplete}}
  {{^isComplete}}<p>Not all of your certificates have to be in here: what is not is judged by what went before. If you always tell of everything first, say so. Then a certificate that is not in here is unexplained, however usual it looks: one of your usual CA, for your usual names, at the usual time, is just what somebody gets who took over your DNS.</p>{{/isComplete}}
  {{#isConfigured.inventory}}<p>The configuration file says so; change it there.</p>{{/isConfigured.inventory}}
  {{^isConfigured.inventory}}{{#member.mayWrite}}<form method="post" action="/domains/{{domainID}}/inventory/complete">{{>code}}<input type="hidden" name="complete" value="{{#isComplete}}no{{/isComplete}}{{^isComplete}}yes{{/isComplete}}"><button class="quiet">{{#isComplete}}It is no longer complete{{/isComplete}}{{^isComplete}}This inventory is complete{{/isComplete}}</button></form>{{/member.mayWrite}}{{/isConfigured.inventory}}

  {{#member.mayWrite}}
  <h2>Add</h2>
  <form method="post" action="/domains/{{domainID}}/inventory" enctype="multipart/form-data">{{>code}}{{>guard}}
  <label for="file">Certificates or certificate requests, as files</label>
  <input id="file" name="file" type="file" multiple aria-describedby="h-file{{#refused.inventory.file}} e-file{{/refused.inventory.file}}"{{#refused.inventory.file}} aria-invalid="true"{{/refused.inventory.file}}>
  {{#refused.inventory.file}}<p class="error" id="e-file">{{.}}</p>{{/refused.inventory.file}}
  <p class="hint" id="h-file">PEM or DER, certificates with their chains. Each tells of itself and of its key; a request tells of the key before there is a certificate. Never private keys.</p>
  <label for="pem">Or as text</label>
  <textarea class="code" id="pem" name="pem" spellcheck="false"{{#refused.inventory.hash}} aria-invalid="true" aria-describedby="e-pem"{{/refused.inventory.hash}}>{{typed.pem}}</textarea>
  {{#refused.inventory.hash}}<p class="error" id="e-pem">{{.}}</p>{{/refused.inventory.hash}}
  <label class="check"><input type="checkbox" name="backup" value="yes"{{#isTickedBackup}} checked{{/isTickedBackup}}> These are backups, kept for the day that those in use are lost</label>
  <label for="note">Where they are from</label>
  <input id="note" name="note" maxlength="100" placeholder="uploaded" value="{{typed.note}}"{{#refused.inventory.note}} aria-invalid="true" aria-describedby="e-note"{{/refused.inventory.note}}>{{#refused.inventory.note}}<p class="error" id="e-note">{{.}}</p>{{/refused.inventory.note}}
  <button>Add</button></form>
  {{/member.mayWrite}}
  {{/main}}{{/layout}}
  """
