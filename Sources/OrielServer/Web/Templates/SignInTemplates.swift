let signInTemplate = """
  {{<layout}}{{$main}}
  <div class="narrow">
  <h1>Sign in</h1>
  <form method="post" action="/sign-in">{{>code}}{{#next}}<input type="hidden" name="next" value="{{next}}">{{/next}}
  <label for="address">Your e-mail address</label>
  <input id="address" name="address" type="email" autocomplete="email" required autofocus value="{{typed.address}}"{{#refused.sign-in.address}} aria-invalid="true" aria-describedby="e-address"{{/refused.sign-in.address}}>
  {{#refused.sign-in.address}}<p class="error" id="e-address">{{.}}</p>{{/refused.sign-in.address}}
  <button>Send me a link</button>
  </form>
  <p class="soft">There are no passwords here. You get a letter with a link that works once, for 15 minutes.</p>
  </div>
  {{/main}}{{/layout}}
  """

let sentTemplate = """
  {{<layout}}{{$main}}
  <div class="narrow">
  <h1>Look at your mail</h1>
  <p>If <bdi>{{sentTo}}</bdi> belongs to an account here, a link to sign in is on its way. It works once, for 15 minutes.</p>
  <p><a href="/sign-in{{nextQuery}}">Another address</a></p>
  </div>
  {{/main}}{{/layout}}
  """

let linkTemplate = """
  {{<layout}}{{$main}}
  <div class="narrow">
  {{#isSignIn}}
  <h1>Sign in</h1>
  <form method="post" action="/link/{{link}}">{{>code}}{{#next}}<input type="hidden" name="next" value="{{next}}">{{/next}}<p>As <strong><bdi>{{linkAddress}}</bdi></strong>, in this browser.</p><button>Sign in</button></form>
  {{/isSignIn}}
  {{#isConfirm}}
  <h1>Confirm your address</h1>
  <form method="post" action="/link/{{link}}">{{>code}}<p>{{#linkAccount}}<strong><bdi>{{linkAccount}}</bdi></strong>{{/linkAccount}}{{^linkAccount}}Somebody{{/linkAccount}} wants to send alerts about certificates{{#linkItem}} for <strong><bdi>{{linkItem}}</bdi></strong>{{/linkItem}} to <strong><bdi>{{linkAddress}}</bdi></strong>. Nothing is sent unless you say yes.</p><button>Yes, send me alerts</button></form>
  {{/isConfirm}}
  {{#isFirstStart}}
  <h1>Welcome to Oriel</h1>
  <p>This makes the first account of this service, with you as its owner.</p>
  <form method="post" action="/link/{{link}}">{{>code}}
  <label for="name">Name of the account</label>
  <input id="name" name="name" required maxlength="100" value="{{typed.name}}"{{#refused.link.name}} aria-invalid="true" aria-describedby="e-name"{{/refused.link.name}}>
  {{#refused.link.name}}<p class="error" id="e-name">{{.}}</p>{{/refused.link.name}}
  <p class="hint">Your organisation’s, say.</p>
  <label for="address">Your e-mail address</label>
  <input id="address" name="address" type="email" autocomplete="email" required value="{{typed.address}}"{{#refused.link.address}} aria-invalid="true" aria-describedby="e-address"{{/refused.link.address}}>
  {{#refused.link.address}}<p class="error" id="e-address">{{.}}</p>{{/refused.link.address}}
  <button>Begin</button>
  </form>
  {{/isFirstStart}}
  </div>
  {{/main}}{{/layout}}
  """

let confirmedTemplate = """
  {{<layout}}{{$main}}
  <div class="narrow">
  <h1>Confirmed</h1>
  <p><bdi>{{linkAddress}}</bdi> gets alerts from now on. Each of them has a link to stop them.</p>
  </div>
  {{/main}}{{/layout}}
  """

let unsubscribeTemplate = """
  {{<layout}}{{$main}}
  <div class="narrow">
  {{#isUnsubscribed}}
  <h1>No more mail</h1>
  <p><bdi>{{leaver}}</bdi> gets no more alerts {{#leftItem}}about <bdi>{{leftItem}}</bdi> {{/leftItem}}from <bdi>{{leftAccount}}</bdi></p>
  <p class="soft">If that was a mistake, somebody of that account can ask you again.</p>
  {{/isUnsubscribed}}
  {{^isUnsubscribed}}
  <h1>Stop these alerts?</h1>
  <form method="post" action="/unsubscribe/{{leaveCode}}"><p><bdi>{{leaver}}</bdi> gets alerts {{#leftItem}}about <bdi>{{leftItem}}</bdi> {{/leftItem}}from <bdi>{{leftAccount}}</bdi></p><button>Stop them</button></form>
  {{/isUnsubscribed}}
  </div>
  {{/main}}{{/layout}}
  """
