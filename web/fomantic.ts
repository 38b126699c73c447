// Fomantic's CSS, component by component: only what our pages use (see `vite.config.ts`).

import 'fomantic-ui-css/components/reset.css';
import 'fomantic-ui-css/components/site.css';
import 'fomantic-ui-css/components/button.css';
import 'fomantic-ui-css/components/card.css';
import 'fomantic-ui-css/components/form.css';
import 'fomantic-ui-css/components/header.css';
import 'fomantic-ui-css/components/icon.css';
import 'fomantic-ui-css/components/input.css';
import 'fomantic-ui-css/components/label.css';
import 'fomantic-ui-css/components/loader.css';
import 'fomantic-ui-css/components/menu.css';
import 'fomantic-ui-css/components/message.css';
import 'fomantic-ui-css/components/modal.css';
import 'fomantic-ui-css/components/segment.css';
import 'fomantic-ui-css/components/table.css';
