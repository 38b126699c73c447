// What oTree needs of a project's template for MTurk, as lines to paste.

/**
 * A link of the class `otree-link`, to which oTree adds the address once the work is accepted, and a form with
 * `completion_code`: oTree 6.0 templates/otree/MTurkHTMLQuestion.html and views/mturk.py get_completion_code.
 */
export const mturkTemplateLines = [
  '<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>',
  '<crowd-form>',
  '  <p>What the study is about, and how long it takes.</p>',
  '  <p>Accept this HIT; then the study opens here: <a class="otree-link">Open the study</a></p>',
  '  <p>Its last page shows a completion code. Enter it here and submit.</p>',
  '  <crowd-input name="completion_code" label="Completion code" required></crowd-input>',
  '</crowd-form>',
] as const;

/** What the last page tells; the code stands beside each worker on oTree's Payments page. */
export const mturkCodeLine = '<p>Your completion code is <b>{{ participant.code }}</b>. Enter it in MTurk’s window.</p>';
