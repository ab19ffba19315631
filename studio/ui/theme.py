"""The look: Gradio's theme, its values taken from the one stylesheet, so that a colour is stated once."""

from __future__ import annotations

import re

import gradio as gr

from studio.work import serving

# Gradio's names for the stylesheet's names; each is set for light and for dark.
NAMES = {
    "body_background_fill": "paper",
    "body_text_color": "ink",
    "body_text_color_subdued": "soft",
    "background_fill_primary": "card",
    "background_fill_secondary": "faint",
    "border_color_accent": "accent",
    "border_color_accent_subdued": "line",
    "border_color_primary": "line",
    "color_accent_soft": "accent-soft",
    "link_text_color": "accent",
    "link_text_color_active": "accent",
    "link_text_color_hover": "accent",
    "link_text_color_visited": "accent",
    "code_background_fill": "faint",
    "block_background_fill": "card",
    "block_border_color": "line",
    "block_info_text_color": "soft",
    "block_label_background_fill": "card",
    "block_label_border_color": "line",
    "block_label_text_color": "soft",
    "block_title_text_color": "soft",
    "panel_background_fill": "card",
    "panel_border_color": "line",
    "accordion_text_color": "ink",
    "table_text_color": "ink",
    "table_border_color": "line",
    "table_even_background_fill": "card",
    "table_odd_background_fill": "card",
    "table_row_focus": "accent-soft",
    "checkbox_background_color": "card",
    "checkbox_background_color_focus": "card",
    "checkbox_background_color_hover": "card",
    "checkbox_background_color_selected": "accent",
    "checkbox_border_color": "edge",
    "checkbox_border_color_focus": "accent",
    "checkbox_border_color_hover": "soft",
    "checkbox_border_color_selected": "accent",
    "checkbox_label_background_fill": "card",
    "checkbox_label_background_fill_hover": "faint",
    "checkbox_label_background_fill_selected": "accent-soft",
    "checkbox_label_border_color": "line",
    "checkbox_label_border_color_hover": "soft",
    "checkbox_label_border_color_selected": "accent",
    "checkbox_label_text_color": "ink",
    "checkbox_label_text_color_selected": "ink",
    "error_background_fill": "bad-soft",
    "error_border_color": "bad",
    "error_text_color": "bad",
    "error_icon_color": "bad",
    "input_background_fill": "paper",
    "input_background_fill_focus": "paper",
    "input_background_fill_hover": "paper",
    "input_border_color": "edge",
    "input_border_color_focus": "accent",
    "input_border_color_hover": "soft",
    "input_placeholder_color": "soft",
    "loader_color": "accent",
    "slider_color": "accent",
    "stat_background_fill": "accent",
    "button_primary_background_fill": "accent",
    "button_primary_background_fill_hover": "accent",
    "button_primary_border_color": "accent",
    "button_primary_border_color_hover": "accent",
    "button_primary_text_color": "accent-ink",
    "button_primary_text_color_hover": "accent-ink",
    "button_secondary_background_fill": "card",
    "button_secondary_background_fill_hover": "card",
    "button_secondary_border_color": "line",
    "button_secondary_border_color_hover": "soft",
    "button_secondary_text_color": "ink",
    "button_secondary_text_color_hover": "ink",
    "button_cancel_background_fill": "card",
    "button_cancel_background_fill_hover": "card",
    "button_cancel_border_color": "bad",
    "button_cancel_border_color_hover": "bad",
    "button_cancel_text_color": "bad",
    "button_cancel_text_color_hover": "bad",
}
SIZES = {
    "block_border_width": "0px",
    "block_shadow": "none",
    "block_padding": "0px",
    "block_radius": "8px",
    "block_title_text_size": "13px",
    "block_label_text_size": "13px",
    "block_info_text_size": "13px",
    "body_text_size": "14px",
    "button_border_width": "1px",
    "button_primary_shadow": "none",
    "button_secondary_shadow": "none",
    "button_large_padding": "6px 12px",
    "button_large_radius": "8px",
    "button_large_text_size": "14px",
    "button_large_text_weight": "400",
    "button_medium_text_weight": "400",
    "button_small_padding": "4px 8px",
    "button_small_radius": "8px",
    "button_small_text_size": "14px",
    "button_small_text_weight": "400",
    "button_transform_hover": "none",
    "button_transform_active": "none",
    "form_gap_width": "0px",
    "input_border_width": "1px",
    "input_padding": "6px 10px",
    "input_radius": "8px",
    "input_shadow": "none",
    "input_shadow_focus": "none",
    "input_text_size": "14px",
    "layout_gap": "16px",
    "section_header_text_size": "13px",
}


def style() -> str:
    """The stylesheet as the page gets it: the look, then what single tabs add in `assets/tab_*.css`."""
    sheets = [serving.asset("studio.css"), *sorted(serving.asset(".").glob("tab_*.css"))]
    return "\n".join(each.read_text("utf-8") for each in sheets)


def head() -> str:
    """What goes into the page's head: the styles of what lies outside of its content."""
    return f"<style>{serving.asset('frame.css').read_text('utf-8')}</style>"


def look() -> gr.themes.Base:
    """Gradio's theme with the stylesheet's colours, light and dark. Fonts come from this machine, never fetched."""
    sheet = style()
    light, dark = values(sheet, ":root"), values(sheet, ".dark")
    colours = {name: light[own] for name, own in NAMES.items()}
    colours |= {f"{name}_dark": dark[own] for name, own in NAMES.items()}
    theme = gr.themes.Base(
        font=families(light["font"]),
        font_mono=families(light["mono"]),
        spacing_size="sm",
        radius_size="md",
        text_size="md",
    )
    return theme.set(**colours, **SIZES, color_accent=light["accent"])


def values(sheet: str, selector: str) -> dict[str, str]:
    """The custom properties of the stylesheet's block that opens with `selector`."""
    block = sheet.split(f"\n{selector} {{", 1)[1].split("}", 1)[0]
    return {name: value.strip() for name, value in re.findall(r"--([\w-]+):([^;]+);", block)}


def families(stack: str) -> list[str]:
    return [each.strip().strip('"') for each in stack.split(",")]
