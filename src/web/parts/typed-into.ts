/** Where keys are text: there they do nothing else. */
export const TYPED_INTO = 'input:not([type=checkbox]), textarea, select, [contenteditable]'
